"""Does the test bench itself hold? Homeservers, people and their transcripts, before anything is judged with them."""

"""Does each use case do what it promises, and nothing when it must not? Whole hubs in memory, real rules, store, keys and chat."""

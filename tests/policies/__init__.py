"""Is what may leave decided rightly? The policies room: its laws, documents, tables, packs and words."""

"""Is the domain what its tables say?"""

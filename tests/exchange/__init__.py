"""Does what hubs say to each other arrive once, in order and as it was meant, whatever the road does?"""

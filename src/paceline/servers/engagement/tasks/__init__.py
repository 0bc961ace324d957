"""What runs by itself: expiry of invitations."""

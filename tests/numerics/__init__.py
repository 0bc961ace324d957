"""Numbers against closed forms and published figures."""

"""Open routes: the page, the entrance, the live feed."""

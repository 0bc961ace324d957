"""Every operation of every server, declared once: request, answer, right, client kinds, HTTP route."""

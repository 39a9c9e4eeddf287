"""Put the parts together for Django: settings, URLs and the ASGI application."""

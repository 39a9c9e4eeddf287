"""What programs call: signed webhooks and OneBot connections."""

"""Say the mistakes of a playbook in Chinese."""

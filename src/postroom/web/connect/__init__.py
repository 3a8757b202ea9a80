"""How programs connect: by SMTP, and by the APIs, which are documented at their doors."""

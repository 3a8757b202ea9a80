"""What the team does when a person asks for their data or for its end."""

"""Who is here: organizations, workspaces, users, memberships, roles, API keys, audit."""

"""How common programs are told to hand mail over here, ready to paste."""

from dataclasses import dataclass

from postroom.web.shared.snippets import FirstMail, write_smtp


@dataclass(frozen=True, slots=True)
class Server:
    """Where programs connect. ``is_trusted``: its certificate is one that the operator brought."""

    host: str
    port: int
    tls_port: int
    user: str
    is_trusted: bool


@dataclass(frozen=True, slots=True)
class Example:
    """One program's settings or a piece of program."""

    name: str
    label: str
    code: str


def write_examples(server: Server, first: FirstMail) -> list[Example]:
    """Return the examples, the one that runs anywhere first."""
    return [
        Example("curl", "curl", write_smtp(first)),
        Example("swaks", "swaks", _swaks(server, first)),
        Example("nodemailer", "Node: nodemailer", _nodemailer(server, first)),
        Example("smtplib", "Python: smtplib", _smtplib(server, first)),
        Example("django", "Django", _django(server, first)),
        Example("laravel", "Laravel", _laravel(server, first)),
        Example("wordpress", "WordPress: WP Mail SMTP", _wordpress(server, first)),
    ]


def _swaks(server: Server, first: FirstMail) -> str:
    return (
        f"swaks --server {server.host} --port {server.tls_port} --tls-on-connect \\\n"
        f"  --auth-user {server.user} --auth-password {first.secret} \\\n"
        f"  --from {first.from_} --to {first.to}"
    )


def _nodemailer(server: Server, first: FirstMail) -> str:
    trust = "" if server.is_trusted else "  tls: { rejectUnauthorized: false }, // until the server has a certificate\n"
    return (
        '// npm install nodemailer\nimport nodemailer from "nodemailer";\n\n'
        "const transport = nodemailer.createTransport({\n"
        f'  host: "{server.host}",\n  port: {server.tls_port},\n  secure: true,\n'
        f'  auth: {{ user: "{server.user}", pass: "{first.secret}" }},\n{trust}}});\n'
        "const sent = await transport.sendMail({\n"
        f'  from: "{first.from_}",\n  to: "{first.to}",\n  subject: "Hello",\n  text: "It works.",\n}});\n'
        "console.log(sent.response);\n"
    )


def _smtplib(server: Server, first: FirstMail) -> str:
    trust = "" if server.is_trusted else "# Until the server has a certificate:\ncontext.check_hostname = False\n"
    trust += "" if server.is_trusted else "context.verify_mode = ssl.CERT_NONE\n"
    return (
        "import smtplib\nimport ssl\nfrom email.message import EmailMessage\n\n"
        "mail = EmailMessage()\n"
        f'mail["From"] = "{first.from_}"\nmail["To"] = "{first.to}"\nmail["Subject"] = "Hello"\n'
        'mail.set_content("It works.")\n\n'
        f"context = ssl.create_default_context()\n{trust}"
        f'with smtplib.SMTP("{server.host}", {server.port}) as client:\n'
        "    client.starttls(context=context)\n"
        f'    client.login("{server.user}", "{first.secret}")\n'
        "    client.send_message(mail)\n"
    )


def _django(server: Server, first: FirstMail) -> str:
    return (
        'EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"\n'
        f'EMAIL_HOST = "{server.host}"\nEMAIL_PORT = {server.port}\nEMAIL_USE_TLS = True\n'
        f'EMAIL_HOST_USER = "{server.user}"\nEMAIL_HOST_PASSWORD = "{first.secret}"\n'
        f'DEFAULT_FROM_EMAIL = "{first.from_}"\n'
    )


def _laravel(server: Server, first: FirstMail) -> str:
    return (
        f"MAIL_MAILER=smtp\nMAIL_SCHEME=smtps\nMAIL_HOST={server.host}\nMAIL_PORT={server.tls_port}\n"
        f"MAIL_USERNAME={server.user}\nMAIL_PASSWORD={first.secret}\nMAIL_FROM_ADDRESS={first.from_}\n"
    )


def _wordpress(server: Server, first: FirstMail) -> str:
    return (
        "// wp-config.php, for the plugin WP Mail SMTP\n"
        "define( 'WPMS_ON', true );\ndefine( 'WPMS_MAILER', 'smtp' );\n"
        f"define( 'WPMS_SMTP_HOST', '{server.host}' );\ndefine( 'WPMS_SMTP_PORT', {server.port} );\n"
        "define( 'WPMS_SSL', 'tls' );\ndefine( 'WPMS_SMTP_AUTH', true );\n"
        f"define( 'WPMS_SMTP_USER', '{server.user}' );\ndefine( 'WPMS_SMTP_PASS', '{first.secret}' );\n"
        f"define( 'WPMS_MAIL_FROM', '{first.from_}' );\n"
    )

"""One mail, handed to the mail server of the settings: encrypted, or not at all."""

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage

from linocut.settings import Settings


class NotSent(Exception):
    """The mail server has not taken it: why, as the end of a sentence. ``is_final``: another try would change
    nothing."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


def send(mail: EmailMessage, settings: Settings) -> None:
    """Returns once the mail server has taken it. ``NotSent``. Blocks: not for the loop, and never in a transaction."""
    try:
        with _connected(settings) as server:
            password = settings.smtp_password.get_secret_value()
            if settings.smtp_user:
                server.login(settings.smtp_user, password)
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _ in refused.recipients.values()]
        is_final = bool(codes) and min(codes) >= 500
        raise NotSent(
            f"the mail server does not take mails for this address ({_codes(codes)})", is_final=is_final
        ) from (refused)
    except smtplib.SMTPAuthenticationError as refused:
        raise NotSent(f"the mail server refuses LINOCUT_SMTP_USER and its password ({refused.smtp_code})") from refused
    except smtplib.SMTPSenderRefused as refused:
        raise NotSent(f"the mail server refuses the sender LINOCUT_SMTP_FROM ({refused.smtp_code})") from refused
    except smtplib.SMTPNotSupportedError as lacking:
        raise NotSent(_lacks(settings, str(lacking))) from lacking
    except smtplib.SMTPResponseException as answer:
        raise NotSent(f"the mail server answered {answer.smtp_code}") from answer
    except ssl.SSLCertVerificationError as bad:
        why = bad.verify_message.rstrip(".")
        raise NotSent(f"the mail server's certificate is not good: {why}") from bad
    except (smtplib.SMTPException, ssl.SSLError, OSError, UnicodeError, ValueError) as fault:
        raise NotSent(f"the mail server cannot be spoken to ({type(fault).__name__})") from fault


def _connected(settings: Settings) -> smtplib.SMTP:
    host, port, seconds = settings.smtp_host.strip("[]"), settings.smtp_port, settings.smtp_seconds
    trust = ssl.create_default_context()
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=seconds, context=trust)
    server = smtplib.SMTP(host, port, timeout=seconds)
    if settings.smtp_security == "starttls":
        _or_closed(server, lambda: server.starttls(context=trust))
    return server


def _or_closed(server: smtplib.SMTP, step: Callable[[], object]) -> None:
    try:
        step()
    except BaseException:
        server.close()
        raise


def _lacks(settings: Settings, told: str) -> str:
    if "STARTTLS" in told:
        return "the mail server does not offer STARTTLS, and nothing is sent in the clear (LINOCUT_SMTP_SECURITY)"
    if "SMTPUTF8" in told:
        return "the mail server takes addresses in ASCII only"
    return f"the mail server does not take the account {settings.smtp_user and 'LINOCUT_SMTP_USER'} that way"


def _codes(codes: list[int]) -> str:
    return ", ".join(str(code) for code in codes) or "no answer"

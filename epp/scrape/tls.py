"""How an https metrics page is trusted."""

from __future__ import annotations

import ssl


def tls_context(
    *, insecure_skip_verify: bool = False, ca_file: str | None = None
) -> ssl.SSLContext:
    """Build the context for metrics over https.

    Verification is on unless it is switched off, though llm-d-router has it off: metrics steer
    traffic, and a bearer token goes out with each request. A server asked by IP address needs a
    certificate that names the address; `ca_file` replaces the system's authorities. Certificates
    need not be as strict as Python asks for since 3.13: those that people make themselves are not.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

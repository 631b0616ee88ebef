"""What a service answers when it does not judge: a code, a message that says what to do, and never a path."""

STATUS = {
    "bad_request": 400, "empty": 400, "unauthorized": 401, "override_forbidden": 403, "not_found": 404,
    "method_not_allowed": 405, "body_timeout": 408, "reload_failed": 409, "too_large": 413, "unsupported_format": 415,
    "damaged": 422, "too_many_pixels": 422, "multi_page": 422, "unsupported_mode": 422, "unsupported_size": 422,
    "queue_full": 429, "client_gone": 499, "internal": 500, "loading": 503, "draining": 503, "deadline": 504,
}  # fmt: skip


class ServiceError(Exception):
    """An answer that is no verdict.

    Args:
        code: of ``STATUS``.
        message: for the client.
        limit: what was exceeded.
        headers: of the answer.
    """

    def __init__(self, code: str, message: str, limit: float | None = None, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.code, self.status, self.message, self.limit = code, STATUS[code], message, limit
        self.headers = headers or {}

    def body(self, request_id: str) -> dict:
        """The answer as JSON."""
        return {"error": {"code": self.code, "message": self.message, "limit": self.limit, "id": request_id}}

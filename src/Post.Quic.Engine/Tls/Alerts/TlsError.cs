using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Alerts;

/// <summary>Makes the transport errors of TLS alerts.</summary>
internal static class TlsError
{
    public static TransportError Alert(TlsAlert alert, string reason) => TransportError.FromAlert((byte)alert, reason);

    public static TransportError Decode(string reason) => Alert(TlsAlert.DecodeError, reason);

    public static TransportError Illegal(string reason) => Alert(TlsAlert.IllegalParameter, reason);

    public static TransportError Missing(string reason) => Alert(TlsAlert.MissingExtension, reason);

    public static TransportError Unexpected(string reason) => Alert(TlsAlert.UnexpectedMessage, reason);

    public static TransportError Violation(string reason) => new(TransportErrorCode.ProtocolViolation, reason);
}

using System.Net.Sockets;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Endpoint;

/// <summary>Says to an application why its connection ended, and what to do about it.</summary>
internal static class CloseReasons
{
    /// <param name="info">Why the connection ended.</param>
    /// <param name="refusal">What this side found wrong with the peer's certificate, if it refused it.</param>
    public static QuicException ToException(this in ConnectionCloseInfo info, CertificateValidationResult? refusal = null) => info.Source switch
    {
        CloseSource.Local when info.IsApplication => new QuicException(
            QuicError.OperationAborted, (long)info.ErrorCode, null, "The connection was closed on this side."),
        CloseSource.Peer when info.IsApplication => new QuicException(
            QuicError.ConnectionAborted,
            (long)info.ErrorCode,
            null,
            $"The peer closed the connection with error code {info.ErrorCode}{Quote(info.Reason)}."),
        CloseSource.IdleTimeout => new QuicException(
            QuicError.ConnectionIdle,
            null,
            null,
            "Nothing came from the peer for the whole idle timeout; a keep-alive interval prevents that where the peer lives."),
        CloseSource.HandshakeTimeout => new QuicException(
            QuicError.ConnectionTimeout,
            null,
            null,
            "The handshake did not finish in time. Check that the peer listens there and that UDP reaches it."),
        CloseSource.StatelessReset => new QuicException(
            QuicError.ConnectionReset, null, null, "The peer has lost the connection's state; connect again."),
        CloseSource.VersionNegotiation => new QuicException(
            QuicError.VersionNegotiationError, null, null, "The two sides share no version of QUIC."),
        CloseSource.NoViablePath => new QuicException(
            QuicError.NoViablePath, null, (long)TransportErrorCode.NoViablePath, "No way to the peer is left; connect again."),
        CloseSource.Unreachable => ((SocketError)info.ErrorCode).ToException(),
        CloseSource.Abandoned => new QuicException(
            QuicError.OperationAborted, null, null, "The endpoint of the connection was closed on this side."),
        _ => FromTransportError(info, refusal),
    };

    private static QuicException FromTransportError(in ConnectionCloseInfo info, CertificateValidationResult? refusal)
    {
        string who = info.Source == CloseSource.Peer ? "The peer closed" : "We closed";
        long code = (long)info.ErrorCode;
        var name = (TransportErrorCode)info.ErrorCode;
        if (info.ErrorCode is >= (ulong)TransportErrorCode.CryptoError and < (ulong)TransportErrorCode.CryptoError + 256)
        {
            return FromAlert(info, code, refusal);
        }

        QuicError error = name == TransportErrorCode.ConnectionRefused ? QuicError.ConnectionRefused
            : name == TransportErrorCode.InternalError && info.Source == CloseSource.Local ? QuicError.InternalError
            : QuicError.TransportError;
        string advice = name == TransportErrorCode.InternalError && info.Source == CloseSource.Peer
            ? " It has a defect, and this connection met it; another may do."
            : string.Empty;
        return new QuicException(error, null, code, $"{who} the connection: {name}{Quote(info.Reason)}.{advice}");
    }

    private static QuicException FromAlert(in ConnectionCloseInfo info, long code, CertificateValidationResult? refusal)
    {
        long alert = code - (long)TransportErrorCode.CryptoError;
        string name = TlsAlertText.NameOf(alert);
        if (info.Source != CloseSource.Peer)
        {
            string cause = refusal is { } verdict
                ? $"The peer's certificate or key was refused: {(verdict.Detail.Length > 0 ? verdict.Detail : verdict.Reason)}"
                : $"The TLS handshake failed: {info.Reason}{(TlsAlertText.Meaning(alert) is { } own ? $" {own}." : string.Empty)}";
            return new QuicException(
                QuicError.AuthenticationFailed, null, code, $"{cause} The peer was told alert {name}.", refusal?.Failure);
        }

        if (TlsAlertText.CertificateVerdict(alert) is { } said)
        {
            return new QuicException(
                QuicError.CertificateRefused,
                null,
                code,
                $"The peer says that our certificate {said}: alert {name}{Quote(info.Reason)}. "
                + (alert == (long)TlsAlert.UnsupportedCertificate
                    ? "Compare what each side has and takes: certificates, and raw public keys (PrivateKey, PeerIdentityKinds)."
                    : "Show a certificate, or a key, that it trusts, or let it trust the key of this one."));
        }

        return new QuicException(
            QuicError.AuthenticationFailed,
            null,
            code,
            $"The peer ended the TLS handshake with alert {name}{Quote(info.Reason)}."
            + (TlsAlertText.Meaning(alert) is { } meaning ? $" {meaning}." : string.Empty));
    }

    /// <summary>A refusal of the machine's, or of the network's, in words.</summary>
    public static QuicException ToException(this SocketError refusal) =>
        new(QuicError.Unreachable, null, null, DescribeRefusal(refusal), new SocketException((int)refusal));

    private static string DescribeRefusal(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "Nothing listens on that UDP port: the host answers so (ICMP port unreachable). Check that the server "
            + "runs, and its port.",
        SocketError.NetworkUnreachable => "This machine, or a router, has no route to that address (network unreachable). Check the network "
            + "connection and the address.",
        SocketError.HostUnreachable => "No host answers at that address on its network (host unreachable). Check that it is up, and the address.",
        SocketError.AddressNotAvailable => "The local address that was asked for is not of this machine any more (address not available). "
            + "Choose another, or leave the choice to the system.",
        SocketError.InvalidArgument => "This machine cannot send from the local address to that one (invalid argument). A loopback "
            + "address reaches no other machine, and a link-local IPv6 address needs its interface: fe80::1%eth0.",
        SocketError.AccessDenied => "This machine, or a router, does not permit to send to that address (permission denied). If it is not "
            + "a broadcast address, check the firewalls.",
        _ => $"The peer cannot be reached ({error}).",
    };

    // The peer's text is cut and cleaned by the core. The quotation marks show that it is not ours.
    private static string Quote(string reason) => reason.Length == 0 ? string.Empty : $" (\"{reason}\")";
}

using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Security;

/// <summary>Under which key an engine keeps the sessions of a connection in <see cref="Local.Sessions"/>.</summary>
internal static class SessionKeys
{
    /// <summary>
    /// A session is as good as the identity that was validated when it was made: other trust, other sessions. Null where
    /// there are none: a callback that judged once cannot be asked again, for a resumed handshake shows no certificate.
    /// </summary>
    public static string? Of(string engine, TransportConnectRequest request)
    {
        PeerTrust trust = request.Remote.Trust;
        return trust.Proof == PeerProof.Callback
            ? null
            : $"{engine}|{request.Protocol}|{request.Remote}|{trust.Proof}|{trust.TakesCertificates}|{trust.Name}|{string.Join(',', trust.PinnedKeys)}|{request.Local.Key}";
    }
}

using System.Net.Security;
using Post.Quic.Engine;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>What the seam asks for, as options of the engine.</summary>
internal static class ManagedOptions
{
    /// <summary>What a window begins with: enough for the first round trips, and no more for those who never use it.</summary>
    private const int InitialStreamWindow = 256 << 10;

    private const int InitialConnectionWindow = 1 << 20;

    /// <summary>Pins are the engine's own business: it judges by them before it looks at anything else, and asks no callback.</summary>
    public static SslClientAuthenticationOptions Unpinned(SslClientAuthenticationOptions options, PeerTrust trust)
    {
        options.RemoteCertificateValidationCallback =
            trust.Proof == PeerProof.PinnedKey ? null : options.RemoteCertificateValidationCallback;
        return options;
    }

    /// <inheritdoc cref="Unpinned(SslClientAuthenticationOptions, PeerTrust)"/>
    public static SslServerAuthenticationOptions Unpinned(SslServerAuthenticationOptions options, PeerTrust? trust)
    {
        options.RemoteCertificateValidationCallback =
            trust is { Proof: PeerProof.PinnedKey } ? null : options.RemoteCertificateValidationCallback;
        return options;
    }

    public static T WithLimits<T>(
        T options, TransportLimits limits, TimeSpan handshakeTimeout, TimeSpan idleTimeout, TimeSpan? keepAlive)
        where T : QuicConnectionOptions => (T)(options with
        {
            MaxInboundUnidirectionalStreams = limits.MaxInboundUnidirectionalStreams,
            MaxInboundBidirectionalStreams = limits.MaxInboundBidirectionalStreams,
            InitialStreamReceiveWindow = Math.Min(limits.StreamReceiveWindow, InitialStreamWindow),
            InitialConnectionReceiveWindow = Math.Min(limits.ConnectionReceiveWindow, InitialConnectionWindow),
            MaxStreamReceiveWindow = limits.StreamReceiveWindow,
            MaxConnectionReceiveWindow = limits.ConnectionReceiveWindow,
            HandshakeTimeout = handshakeTimeout,
            IdleTimeout = idleTimeout,
            WritesCompleteWhenSent = true,
            KeepAliveInterval = keepAlive ?? Timeout.InfiniteTimeSpan,
        });
}

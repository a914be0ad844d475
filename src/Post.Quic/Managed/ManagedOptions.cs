using System.Net.Security;
using Post.Quic.Engine;
using Post.Quic.Security;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>What the seam asks for, as options of the engine.</summary>
internal static class ManagedOptions
{
    /// <summary>What a window begins with: enough for the first round trips, and no more for those who never use it.</summary>
    private const int InitialStreamWindow = 256 << 10;

    private const int InitialConnectionWindow = 1 << 20;

    /// <summary>One in use, one ready, and two that are being given up while others take their place.</summary>
    private const int HandoverPaths = 4;

    /// <summary>Four in use, and two that are being given up.</summary>
    private const int ManyPaths = 6;

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

    /// <summary>Keys without certificates: ours, and how the peer's are judged.</summary>
    /// <exception cref="ArgumentException">The Local's key was made for another transport.</exception>
    public static T WithKeys<T>(T options, Local local, PeerTrust? trust)
        where T : QuicConnectionOptions => (T)(options with
        {
            PrivateKey = KeyOf(local)?.PrivateKey,
            PinnedPublicKeys = TlsOptions.PinsOf(trust),
            PeerIdentityKinds = KindsOf(trust),
            RemotePublicKeyValidationCallback = JudgeOf(trust),
        });

    /// <summary>Our key without a certificate; null: none.</summary>
    /// <exception cref="ArgumentException">It was made for another transport.</exception>
    public static QuicIdentityKey? KeyOf(Local local) => local.BareKey switch
    {
        null => null,
        QuicIdentityKey key => key,
        { } other => throw new ArgumentException(
            $"The Local's BareKey is a {other.GetType().Name}; the managed engine needs a {nameof(QuicIdentityKey)}.", nameof(local)),
    };

    public static T WithLimits<T>(T options, TransportOptions asked)
        where T : QuicConnectionOptions => (T)(options with
        {
            MaxInboundUnidirectionalStreams = asked.MaxInboundUnidirectionalStreams,
            MaxInboundBidirectionalStreams = asked.MaxInboundBidirectionalStreams,
            InitialStreamReceiveWindow = Math.Min(asked.StreamReceiveWindow, InitialStreamWindow),
            InitialConnectionReceiveWindow = Math.Min(asked.ConnectionReceiveWindow, InitialConnectionWindow),
            MaxStreamReceiveWindow = asked.StreamReceiveWindow,
            MaxConnectionReceiveWindow = asked.ConnectionReceiveWindow,
            HandshakeTimeout = asked.HandshakeTimeout,
            IdleTimeout = asked.IdleTimeout,
            WritesCompleteWhenSent = true,
            KeepAliveInterval = asked.KeepAliveInterval ?? Timeout.InfiniteTimeSpan,
            MaxPaths = asked.Multipath switch
            {
                MultipathPolicy.None => 1,
                MultipathPolicy.Handover => HandoverPaths,
                _ => ManyPaths,
            },
            CongestionControl = asked.CongestionControl switch
            {
                CongestionControl.Cubic => QuicCongestionControl.Cubic,
                CongestionControl.Bbr => QuicCongestionControl.Bbr,
                CongestionControl.NewReno => QuicCongestionControl.NewReno,
                _ => QuicCongestionControl.Auto,
            },
            PathPolicy = asked.Multipath switch
            {
                MultipathPolicy.Interactive => QuicPathPolicy.Interactive,
                MultipathPolicy.Aggregate => QuicPathPolicy.Aggregate,
                _ => QuicPathPolicy.Handover,
            },
        });

    private static IReadOnlyList<QuicIdentityKind> KindsOf(PeerTrust? trust) => trust switch
    {
        { TakesBareKeys: true, TakesCertificates: false } => [QuicIdentityKind.RawPublicKey],
        { TakesBareKeys: true } => [QuicIdentityKind.Certificate, QuicIdentityKind.RawPublicKey],
        _ => [QuicIdentityKind.Certificate],
    };

    private static Func<QuicPublicKey, bool>? JudgeOf(PeerTrust? trust) => trust?.KeyValidator is { } validator
        ? key => validator(KeyFingerprint.OfPublicKey(key.SubjectPublicKeyInfo.Span), key.SubjectPublicKeyInfo)
        : null;
}

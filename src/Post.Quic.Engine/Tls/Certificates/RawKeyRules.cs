using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>What .NET's TLS options have no place for: keys without certificates, shown and taken.</summary>
internal sealed record RawKeyRules
{
    /// <summary>No keys without certificates, in either direction.</summary>
    public static RawKeyRules None { get; } = new();

    /// <summary>Our own; null: none.</summary>
    public RawKeyCredential? Own { get; init; }

    /// <summary>What may be shown to us, in order of preference.</summary>
    public IReadOnlyList<CertificateType> PeerTypes { get; init; } = CertificateTypes.Default;

    /// <summary>Has the word over raw keys where there are no pins.</summary>
    public Func<RawPublicKey, bool>? Callback { get; init; }
}

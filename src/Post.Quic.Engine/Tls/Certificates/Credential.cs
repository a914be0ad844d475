using System.Security.Cryptography;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>What this side shows of itself: a chain of certificates, or a key without one (RFC 7250). Thread-safe.</summary>
internal abstract class Credential
{
    public abstract CertificateType Type { get; }

    /// <summary>The entries of the Certificate message in DER, our own first; never empty.</summary>
    public abstract IReadOnlyList<ReadOnlyMemory<byte>> Entries { get; }

    /// <summary>Tells credentials apart: SHA-256 of our own entry.</summary>
    public byte[] Fingerprint() => SHA256.HashData(Entries[0].Span);

    /// <summary>The first scheme that the key can sign with and the peer takes.</summary>
    public abstract bool TrySelect(ReadOnlySpan<byte> peerSchemes, out SignatureScheme scheme);

    public abstract byte[] Sign(SignatureScheme scheme, ReadOnlySpan<byte> content);
}

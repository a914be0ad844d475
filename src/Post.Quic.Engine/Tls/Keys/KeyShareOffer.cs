using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tls.Keys;

/// <summary>A client's share of a key exchange, and the private key behind it.</summary>
internal abstract class KeyShareOffer(NamedGroup group, byte[] share) : IDisposable
{
    public NamedGroup Group { get; } = group;

    public byte[] Share { get; } = share;

    /// <summary>The client's second step; nothing when the server's share is not valid.</summary>
    public abstract SecretBuffer? Finish(ReadOnlySpan<byte> serverShare);

    public abstract void Dispose();
}

using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tls.Keys;

/// <summary>Ephemeral Diffie-Hellman (RFC 8446 sections 4.2.8.2 and 7.4.2): X25519 or a NIST curve.</summary>
internal sealed class DiffieHellmanExchange(KeyAgreement agreement) : KeyExchange
{
    public override NamedGroup Group => agreement.Group;

    public override KeyShareOffer Offer() => new PendingShare(agreement.Generate());

    public override bool TryAnswer(ReadOnlySpan<byte> clientShare, out byte[] serverShare, out SecretBuffer? secret)
    {
        using EphemeralKey key = agreement.Generate();
        secret = Agree(key, clientShare);
        serverShare = secret is null ? [] : key.Share;
        return secret is not null;
    }

    private static SecretBuffer? Agree(EphemeralKey key, ReadOnlySpan<byte> peerShare)
    {
        var secret = new SecretBuffer(key.Group.SecretLength());
        if (key.TryAgree(peerShare, secret.Span))
        {
            return secret;
        }

        secret.Dispose();
        return null;
    }

    /// <summary>The private key that waits for the server's share.</summary>
    private sealed class PendingShare(EphemeralKey key) : KeyShareOffer(key.Group, key.Share)
    {
        public override SecretBuffer? Finish(ReadOnlySpan<byte> serverShare) => Agree(key, serverShare);

        public override void Dispose() => key.Dispose();
    }
}

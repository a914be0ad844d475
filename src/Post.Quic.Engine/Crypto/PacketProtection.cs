using System.Buffers.Binary;
using System.Security.Cryptography;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Crypto;

/// <summary>One generation of the keys that protect payloads in one direction: an AEAD and its IV (RFC 9001 section 5.3).</summary>
internal sealed class PacketProtection : IDisposable
{
    private readonly Aead _aead;
    private uint _ivHigh;
    private ulong _ivLow;

    /// <summary>With a key and an IV that are already derived.</summary>
    public PacketProtection(Aead aead, ReadOnlySpan<byte> iv)
    {
        _aead = aead;
        _ivHigh = BinaryPrimitives.ReadUInt32BigEndian(iv);
        _ivLow = BinaryPrimitives.ReadUInt64BigEndian(iv[sizeof(uint)..]);
    }

    public static PacketProtection Create(
        CryptoProvider provider, QuicVersion version, CipherSuite suite, KeyDirection direction, ReadOnlySpan<byte> secret)
    {
        Span<byte> keyBuffer = stackalloc byte[CipherSuiteExtensions.MaxKeyLength];
        Span<byte> key = keyBuffer[..suite.KeyLength()];
        Span<byte> iv = stackalloc byte[Aead.NonceLength];
        Hkdf.ExpandLabel(suite.HashName(), secret, VersionSecrets.KeyLabel(version), [], key);
        Hkdf.ExpandLabel(suite.HashName(), secret, VersionSecrets.IvLabel(version), [], iv);
        try
        {
            return new PacketProtection(provider.CreateAead(suite, direction, key), iv);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(iv);
        }
    }

    /// <summary>
    /// Encrypts in place what stands between the header and the last sixteen bytes of <paramref name="packet"/>, which
    /// receive the tag.
    /// </summary>
    public void Seal(Span<byte> packet, int headerLength, ulong packetNumber, uint pathId)
    {
        Span<byte> nonce = stackalloc byte[Aead.NonceLength];
        WriteNonce(nonce, packetNumber, pathId);
        int end = packet.Length - Aead.TagLength;
        _aead.Seal(nonce, packet[..headerLength], packet[headerLength..end], packet[end..]);
    }

    /// <summary>
    /// Decrypts in place; the payload then stands between the header and the last sixteen bytes. The tag is left as it
    /// came also where this fails: it may be a stateless reset token.
    /// </summary>
    public bool TryOpen(Span<byte> packet, int headerLength, ulong packetNumber, uint pathId)
    {
        int end = packet.Length - Aead.TagLength;
        if (end < headerLength)
        {
            return false;
        }

        Span<byte> nonce = stackalloc byte[Aead.NonceLength];
        WriteNonce(nonce, packetNumber, pathId);
        return _aead.TryOpen(nonce, packet[..headerLength], packet[headerLength..end], packet[end..]);
    }

    public void Dispose()
    {
        _aead.Dispose();
        _ivHigh = 0;
        _ivLow = 0;
    }

    /// <summary>
    /// RFC 9001 section 5.3: the IV, XORed with the packet number. draft-ietf-quic-multipath: each path has its own packet
    /// numbers, so the path id fills the upper 32 bits, or two paths would use one nonce twice. Path 0 is RFC 9001's nonce.
    /// </summary>
    private void WriteNonce(Span<byte> nonce, ulong packetNumber, uint pathId)
    {
        BinaryPrimitives.WriteUInt32BigEndian(nonce, _ivHigh ^ pathId);
        BinaryPrimitives.WriteUInt64BigEndian(nonce[sizeof(uint)..], _ivLow ^ packetNumber);
    }
}

using System.Buffers;
using System.Security.Cryptography;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// The tag at the end of a Retry packet (RFC 9001 section 5.8, RFC 9369 section 3.3.3): it shows that whoever sent it saw
/// the client's Initial. Not thread-safe.
/// </summary>
internal sealed class RetryIntegrity(CryptoProvider provider) : IDisposable
{
    public const int TagLength = Aead.TagLength;

    private Aead? _version1;
    private Aead? _version2;

    private static ReadOnlySpan<byte> KeyOfVersion1 =>
        [0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e];

    private static ReadOnlySpan<byte> NonceOfVersion1 =>
        [0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb];

    private static ReadOnlySpan<byte> KeyOfVersion2 =>
        [0x8f, 0xb4, 0xb0, 0x1b, 0x56, 0xac, 0x48, 0xe2, 0x60, 0xfb, 0xcb, 0xce, 0xad, 0x7c, 0xcc, 0x92];

    private static ReadOnlySpan<byte> NonceOfVersion2 =>
        [0xd8, 0x69, 0x69, 0xbc, 0x2d, 0x7c, 0x6d, 0x99, 0x90, 0xef, 0xb0, 0x4a];

    /// <summary>Fills the last <see cref="TagLength"/> bytes of a Retry packet.</summary>
    public void Write(QuicVersion version, ReadOnlySpan<byte> originalDestinationConnectionId, Span<byte> packet) =>
        Compute(version, originalDestinationConnectionId, packet[..^TagLength], packet[^TagLength..]);

    /// <summary>False also where the packet is too short to hold a tag.</summary>
    public bool Verify(
        QuicVersion version, ReadOnlySpan<byte> originalDestinationConnectionId, ReadOnlySpan<byte> packet)
    {
        if (packet.Length < TagLength)
        {
            return false;
        }

        Span<byte> tag = stackalloc byte[TagLength];
        Compute(version, originalDestinationConnectionId, packet[..^TagLength], tag);
        return CryptographicOperations.FixedTimeEquals(tag, packet[^TagLength..]);
    }

    public void Dispose()
    {
        _version1?.Dispose();
        _version2?.Dispose();
    }

    private void Compute(
        QuicVersion version, ReadOnlySpan<byte> connectionId, ReadOnlySpan<byte> packet, Span<byte> tag)
    {
        int length = 1 + connectionId.Length + packet.Length;
        byte[] pseudoPacket = ArrayPool<byte>.Shared.Rent(length);
        pseudoPacket[0] = (byte)connectionId.Length;
        connectionId.CopyTo(pseudoPacket.AsSpan(1));
        packet.CopyTo(pseudoPacket.AsSpan(1 + connectionId.Length));
        if (version == QuicVersion.Version2)
        {
            _version2 ??= provider.CreateAead(CipherSuite.Aes128GcmSha256, KeyDirection.Send, KeyOfVersion2);
            _version2.Seal(NonceOfVersion2, pseudoPacket.AsSpan(0, length), [], tag);
        }
        else
        {
            _version1 ??= provider.CreateAead(CipherSuite.Aes128GcmSha256, KeyDirection.Send, KeyOfVersion1);
            _version1.Seal(NonceOfVersion1, pseudoPacket.AsSpan(0, length), [], tag);
        }

        ArrayPool<byte>.Shared.Return(pseudoPacket);
    }
}

using System.Security.Cryptography;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Crypto;

/// <summary>
/// The keys of one encryption level in one direction, for the levels that never update theirs: Initial, 0-RTT, Handshake.
/// Not thread-safe.
/// </summary>
internal sealed class PacketKeys : IDisposable
{
    /// <summary>Bytes that protection adds to a packet.</summary>
    public const int Overhead = Aead.TagLength;

    private readonly PacketProtection _protection;
    private readonly HeaderProtection _header;

    private PacketKeys(PacketProtection protection, HeaderProtection header)
    {
        _protection = protection;
        _header = header;
    }

    public static PacketKeys Create(
        CryptoProvider provider, QuicVersion version, CipherSuite suite, KeyDirection direction, ReadOnlySpan<byte> secret) =>
        new(
            PacketProtection.Create(provider, version, suite, direction, secret),
            CreateHeaderProtection(provider, version, suite, secret));

    /// <summary>
    /// Protects a packet in place. It holds header, packet number and payload in the clear and ends with
    /// <see cref="Overhead"/> bytes of room for the tag; the Length field of a long header already counts them.
    /// </summary>
    public void Protect(
        Span<byte> packet, int packetNumberOffset, int packetNumberLength, ulong packetNumber, uint pathId = 0)
    {
        _protection.Seal(packet, packetNumberOffset + packetNumberLength, packetNumber, pathId);
        _header.Apply(packet, packetNumberOffset, packetNumberLength);
    }

    /// <summary>Shows the header in place: see <see cref="HeaderProtection.TryRemove"/>.</summary>
    public bool TryUnprotectHeader(
        Span<byte> packet, int packetNumberOffset, out int packetNumberLength, out uint truncatedPacketNumber) =>
        _header.TryRemove(packet, packetNumberOffset, out packetNumberLength, out truncatedPacketNumber);

    /// <summary>
    /// Decrypts in place a packet whose header has been shown. The header is everything up to and with the packet number;
    /// the payload then ends <see cref="Overhead"/> bytes before the end.
    /// </summary>
    public bool TryOpen(Span<byte> packet, int headerLength, ulong packetNumber, uint pathId = 0) =>
        _protection.TryOpen(packet, headerLength, packetNumber, pathId);

    public void Dispose()
    {
        _protection.Dispose();
        _header.Dispose();
    }

    internal static HeaderProtection CreateHeaderProtection(
        CryptoProvider provider, QuicVersion version, CipherSuite suite, ReadOnlySpan<byte> secret)
    {
        Span<byte> keyBuffer = stackalloc byte[CipherSuiteExtensions.MaxKeyLength];
        Span<byte> key = keyBuffer[..suite.KeyLength()];
        Hkdf.ExpandLabel(suite.HashName(), secret, VersionSecrets.HeaderProtectionLabel(version), [], key);
        try
        {
            return provider.CreateHeaderProtection(suite, key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}

using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Crypto;

/// <summary>What the versions of QUIC derive their keys with: salts and labels (RFC 9001 section 5, RFC 9369 section 3.3).</summary>
internal static class VersionSecrets
{
    private static ReadOnlySpan<byte> SaltOfVersion1 =>
        [0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a];

    private static ReadOnlySpan<byte> SaltOfVersion2 =>
        [0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9];

    public static ReadOnlySpan<byte> InitialSalt(QuicVersion version) => Is2(version) ? SaltOfVersion2 : SaltOfVersion1;

    public static ReadOnlySpan<byte> KeyLabel(QuicVersion version) => Is2(version) ? "quicv2 key"u8 : "quic key"u8;

    public static ReadOnlySpan<byte> IvLabel(QuicVersion version) => Is2(version) ? "quicv2 iv"u8 : "quic iv"u8;

    public static ReadOnlySpan<byte> HeaderProtectionLabel(QuicVersion version) => Is2(version) ? "quicv2 hp"u8 : "quic hp"u8;

    public static ReadOnlySpan<byte> KeyUpdateLabel(QuicVersion version) => Is2(version) ? "quicv2 ku"u8 : "quic ku"u8;

    private static bool Is2(QuicVersion version) => version switch
    {
        QuicVersion.Version1 => false,
        QuicVersion.Version2 => true,
        _ => throw new ArgumentOutOfRangeException(nameof(version)),
    };
}

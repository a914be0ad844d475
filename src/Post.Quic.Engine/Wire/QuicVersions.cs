namespace Post.Quic.Engine.Wire;

/// <summary>What is known of version numbers as such (RFC 9000 section 15).</summary>
internal static class QuicVersions
{
    private const uint ReservedMask = 0x0f0f0f0f;

    private const uint ReservedPattern = 0x0a0a0a0a;

    public static bool IsSupported(uint version) =>
        version is (uint)QuicVersion.Version1 or (uint)QuicVersion.Version2;

    /// <summary>RFC 9000 section 15: 0x?a?a?a?a is never a version, and is offered so that nobody comes to rely on a list.</summary>
    public static bool IsReserved(uint version) => (version & ReservedMask) == ReservedPattern;

    /// <summary>A reserved version made of random bits.</summary>
    public static uint Reserved(uint random) => (random & ~ReservedMask) | ReservedPattern;
}

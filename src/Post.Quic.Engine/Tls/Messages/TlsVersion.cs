namespace Post.Quic.Engine.Tls.Messages;

/// <summary>Version numbers as they stand on the wire.</summary>
internal static class TlsVersion
{
    /// <summary>What the legacy_version fields say, whatever is negotiated.</summary>
    public const ushort Tls12 = 0x0303;

    public const ushort Tls13 = 0x0304;
}

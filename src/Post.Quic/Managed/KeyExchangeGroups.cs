using Post.Quic.Engine;

namespace Post.Quic.Managed;

/// <summary>Which of the key exchange groups that are asked for this platform has.</summary>
internal static class KeyExchangeGroups
{
    public static IReadOnlyList<QuicKeyExchangeGroup> Missing(IReadOnlyList<QuicKeyExchangeGroup> asked) =>
        [.. asked.Where(static group => !group.IsSupported())];

    /// <summary>Null where connections can be made; else why not, with the remedy.</summary>
    public static string? FindObstacle(IReadOnlyList<QuicKeyExchangeGroup> asked) =>
        asked.Count > 0 && Missing(asked).Count == asked.Count
            ? $"This platform has none of the KeyExchangeGroups ({string.Join(", ", asked)}); add Secp256r1, which all have, or name none."
            : null;
}

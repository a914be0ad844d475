using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Streams;

/// <summary>What a <see cref="ReceiveAssembler"/> may hold for a peer that has not sent what comes before it.</summary>
/// <param name="MaxBytesAhead">The furthest offset accepted beyond what was read.</param>
/// <param name="MaxFragments">Pieces with gaps between them that are free of charge.</param>
/// <param name="BytesPerExtraFragment">Beyond those, held bytes that earn one more piece; 0: none can be earned.</param>
internal readonly record struct AssemblerLimits(ulong MaxBytesAhead, int MaxFragments, int BytesPerExtraFragment)
{
    /// <summary>Streams: flow control bounds the offset, so here only the number of pieces is bounded.</summary>
    public static AssemblerLimits Stream { get; } =
        new(ulong.MaxValue, Limits.StreamFragments, Limits.StreamBytesPerExtraFragment);

    /// <summary>CRYPTO data has no flow control (RFC 9000 section 7.5): the cap on bytes stands in for it.</summary>
    public static AssemblerLimits Crypto { get; } = new(Limits.CryptoBytesAhead, Limits.CryptoFragments, 0);
}

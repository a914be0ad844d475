namespace Post.Quic.Engine.Wire.Frames;

/// <summary>How much data fits behind its own length field.</summary>
internal static class LengthPrefix
{
    /// <summary>
    /// The most bytes of data that fit, with their length as a variable-length integer, into
    /// <paramref name="budget"/> bytes; -1 where not even an empty one does.
    /// </summary>
    public static int MaxData(int budget) => budget switch
    {
        <= 0 => -1,
        <= 1 + 63 => budget - 1,

        // 65 bytes hold 63 bytes of data behind one byte of length, and no more behind two.
        65 => 63,
        <= 2 + 16383 => budget - 2,
        <= 4 + 16383 => 16383,
        _ => budget - 4,
    };
}

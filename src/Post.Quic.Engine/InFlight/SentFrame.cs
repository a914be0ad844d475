using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.InFlight;

/// <summary>
/// A frame that is on its way: enough to know what an acknowledgement settles or what a loss brings back. What the
/// fields mean depends on the kind; a value of 32 bytes, so that a log of them is an array and not a heap of objects.
/// </summary>
internal readonly record struct SentFrame
{
    public SentFrame(SentFrameKind kind, ulong id = 0, ulong offset = 0, uint length = 0, bool fin = false)
    {
        Id = id;
        Offset = offset;
        Length = length;
        Kind = kind;
        Fin = fin;
    }

    /// <summary>Stream id; sequence number of a connection id; the datagram's number; the largest acknowledged of an ACK.</summary>
    public ulong Id { get; }

    /// <summary>Offset in the stream or CRYPTO data; the limit announced by MAX_*.</summary>
    public ulong Offset { get; }

    /// <summary>Bytes of data; the path id of a frame that speaks of a path.</summary>
    public uint Length { get; }

    /// <summary>The path that the frame speaks of, which need not be the one that it goes by.</summary>
    public uint PathId => Length;

    public SentFrameKind Kind { get; }

    /// <summary>The frame ended its stream.</summary>
    public bool Fin { get; }

    public static SentFrame Crypto(EncryptionLevel level, ulong offset, uint length) =>
        new(SentFrameKind.Crypto, (ulong)level, offset, length);

    /// <param name="kind">Its kind.</param>
    /// <param name="pathId">The path that it speaks of.</param>
    /// <param name="id">As the kind has it.</param>
    public static SentFrame OfPath(SentFrameKind kind, uint pathId, ulong id) => new(kind, id, 0, pathId);

    public static SentFrame Stream(ulong streamId, ulong offset, uint length, bool fin) =>
        new(SentFrameKind.Stream, streamId, offset, length, fin);
}

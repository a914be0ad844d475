using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Recovery;

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

    /// <summary>Bytes of data.</summary>
    public uint Length { get; }

    public SentFrameKind Kind { get; }

    /// <summary>The frame ended its stream.</summary>
    public bool Fin { get; }

    public static SentFrame Crypto(EncryptionLevel level, ulong offset, uint length) =>
        new(SentFrameKind.Crypto, (ulong)level, offset, length);

    public static SentFrame Stream(ulong streamId, ulong offset, uint length, bool fin) =>
        new(SentFrameKind.Stream, streamId, offset, length, fin);
}

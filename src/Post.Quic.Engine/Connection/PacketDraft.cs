using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>A packet whose header and frames stand in the buffer and that is not protected yet.</summary>
internal struct PacketDraft
{
    public EncryptionLevel Level;

    /// <summary>Its place in the buffer of the datagram.</summary>
    public int Start;

    /// <summary>Where the Length field is; 0 in a short header, which has none.</summary>
    public int LengthOffset;

    public int NumberOffset;

    public int NumberLength;

    public ulong Number;

    /// <summary>Bytes of frames.</summary>
    public int PayloadLength;

    /// <summary>
    /// The frames fill their room: the last one may have no length and end with the packet, so that padding behind it
    /// would become a part of it.
    /// </summary>
    public bool IsFull;

    public SentPacketFlags Flags;

    public readonly int PayloadOffset => NumberOffset + NumberLength;

    /// <summary>The end, with the tag.</summary>
    public readonly int End => PayloadOffset + PayloadLength + Crypto.PacketKeys.Overhead;

    public readonly bool IsAckEliciting => (Flags & SentPacketFlags.AckEliciting) != 0;
}

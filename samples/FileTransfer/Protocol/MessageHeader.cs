using System.Buffers.Binary;

namespace FileTransfer.Protocol;

/// <summary>
/// The metadata of every object: type (1 byte), flags (1), request (4), file (4, big-endian both); and in the last chunk of a file the
/// SHA-256 of the whole file (32).
/// </summary>
internal readonly record struct MessageHeader
{
    public const int HashSize = 32;

    private const int FixedSize = 10;
    private const byte IsLastFlag = 1;

    public required MessageType Type { get; init; }

    /// <summary>Which request it belongs to; the client counts them.</summary>
    public required uint Request { get; init; }

    /// <summary>Which entry of the request, counted over its listings.</summary>
    public uint File { get; init; }

    /// <summary>The hash of the file, in its last chunk only.</summary>
    public ReadOnlyMemory<byte> Hash { get; init; }

    public bool IsLast => !Hash.IsEmpty;

    public byte[] ToBytes()
    {
        var bytes = new byte[FixedSize + Hash.Length];
        bytes[0] = (byte)Type;
        bytes[1] = IsLast ? IsLastFlag : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(2), Request);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(6), File);
        Hash.Span.CopyTo(bytes.AsSpan(FixedSize));
        return bytes;
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote; false for anything else, whoever sent it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out MessageHeader header)
    {
        header = default;
        if (bytes.Length is not (FixedSize or FixedSize + HashSize)
            || bytes[0] is < (byte)MessageType.Get or > (byte)MessageType.Progress)
        {
            return false;
        }

        var isLast = (bytes[1] & IsLastFlag) != 0;
        if (isLast != (bytes.Length > FixedSize) || (isLast && bytes[0] is not ((byte)MessageType.Chunk or (byte)MessageType.Hole)))
        {
            return false;
        }

        header = new MessageHeader
        {
            Type = (MessageType)bytes[0],
            Request = BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]),
            File = BinaryPrimitives.ReadUInt32BigEndian(bytes[6..]),
            Hash = isLast ? bytes[FixedSize..].ToArray() : default,
        };
        return true;
    }
}

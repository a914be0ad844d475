using System.Buffers.Binary;

namespace Post.Sockets.Protocol;

/// <summary>Writes the fields of post/1 into a span that the caller made large enough.</summary>
internal ref struct PostWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    public int Written { get; private set; }

    public void WriteInteger(long value) => Written += PostInteger.Write(_destination[Written..], value);

    /// <summary>Writes an integer in the form of four bytes, whether or not a shorter one would hold it.</summary>
    public void WriteWideInteger(long value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_destination[Written..], (uint)value | 0x80000000);
        Written += sizeof(uint);
    }

    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_destination[Written..]);
        Written += bytes.Length;
    }
}

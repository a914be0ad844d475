using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>Writes handshake messages into a buffer that grows; lengths are filled in when their content is known.</summary>
internal sealed class MessageWriter
{
    private const int FirstBuffer = 1024;

    private byte[] _buffer = [];
    private int _length;

    public Span<byte> Written => _buffer.AsSpan(0, _length);

    public void Clear() => _length = 0;

    /// <summary>Gives the buffer up; it is made anew when something is written again.</summary>
    public void Release()
    {
        // No copy of a secret stays behind.
        CryptographicOperations.ZeroMemory(_buffer);
        _buffer = [];
        _length = 0;
    }

    public void WriteByte(byte value) => Reserve(1)[0] = value;

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(sizeof(ushort)), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(sizeof(uint)), value);

    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Reserve(sizeof(ulong)), value);

    public void WriteBytes(ReadOnlySpan<byte> value) => value.CopyTo(Reserve(value.Length));

    public void WriteVector8(ReadOnlySpan<byte> value)
    {
        WriteByte(checked((byte)value.Length));
        WriteBytes(value);
    }

    public void WriteVector16(ReadOnlySpan<byte> value)
    {
        WriteUInt16(checked((ushort)value.Length));
        WriteBytes(value);
    }

    public void WriteVector24(ReadOnlySpan<byte> value)
    {
        int mark = Begin(3);
        WriteBytes(value);
        End(mark, 3);
    }

    /// <summary>Opens a vector whose length takes that many bytes; close it with <see cref="End"/>.</summary>
    public int Begin(int lengthBytes)
    {
        Reserve(lengthBytes);
        return _length;
    }

    public void End(int mark, int lengthBytes)
    {
        int length = _length - mark;
        Debug.Assert(length < 1 << (8 * lengthBytes), "The vector is longer than its length can say.");
        for (int i = 0; i < lengthBytes; i++)
        {
            _buffer[mark - 1 - i] = (byte)(length >> (8 * i));
        }
    }

    /// <summary>Opens a handshake message; close it with <see cref="EndMessage"/>.</summary>
    public int BeginMessage(HandshakeType type)
    {
        WriteByte((byte)type);
        return Begin(3);
    }

    /// <summary>Closes the message and returns all of it, its header included; valid until the next write.</summary>
    public ReadOnlySpan<byte> EndMessage(int mark)
    {
        End(mark, 3);
        return _buffer.AsSpan((mark - 4).._length);
    }

    /// <summary>Opens an extension; close it with <see cref="End"/> and a length of 2 bytes.</summary>
    public int BeginExtension(ExtensionType type)
    {
        WriteUInt16((ushort)type);
        return Begin(2);
    }

    private Span<byte> Reserve(int count)
    {
        if (_buffer.Length - _length < count)
        {
            byte[] larger = new byte[Math.Max(Math.Max(_buffer.Length * 2, FirstBuffer), _length + count)];
            Written.CopyTo(larger);

            // Tickets are written here too: no copy of a secret stays behind.
            CryptographicOperations.ZeroMemory(_buffer);
            _buffer = larger;
        }

        _length += count;
        return _buffer.AsSpan(_length - count, count);
    }
}

using System.Diagnostics;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>Cuts the bytes of a CRYPTO stream into handshake messages.</summary>
internal sealed class HandshakeAssembler
{
    public const int HeaderLength = 4;

    private byte[] _buffer = [];
    private int _start;
    private int _end;

    public bool IsEmpty => _start == _end;

    private int Buffered => _end - _start;

    /// <summary>
    /// Fails when the bytes that wait would exceed the cap: memory follows what arrived, never what a header announces.
    /// </summary>
    public TransportError Append(ReadOnlySpan<byte> data)
    {
        if (data.Length > Limits.MaxTlsBuffered - Buffered)
        {
            return new TransportError(TransportErrorCode.CryptoBufferExceeded, "Too many handshake bytes wait.");
        }

        if (_buffer.Length - _end < data.Length)
        {
            int waiting = Buffered;
            if (_buffer.Length < waiting + data.Length)
            {
                byte[] larger = new byte[Math.Max(waiting + data.Length, 2 * waiting)];
                _buffer.AsSpan(_start, waiting).CopyTo(larger);
                _buffer = larger;
            }
            else
            {
                _buffer.AsSpan(_start, waiting).CopyTo(_buffer);
            }

            _start = 0;
            _end = waiting;
        }

        data.CopyTo(_buffer.AsSpan(_end));
        _end += data.Length;
        return default;
    }

    /// <summary>Gives the buffer up where nothing waits in it.</summary>
    public void Release()
    {
        if (IsEmpty)
        {
            _buffer = [];
            _start = _end = 0;
        }
    }

    /// <summary>The header of the next message, as soon as it is there, so that it is judged before its body is awaited.</summary>
    public bool TryPeek(out HandshakeType type, out int bodyLength)
    {
        type = default;
        bodyLength = 0;
        if (Buffered < HeaderLength)
        {
            return false;
        }

        ReadOnlySpan<byte> header = _buffer.AsSpan(_start);
        type = (HandshakeType)header[0];
        bodyLength = (header[1] << 16) | (header[2] << 8) | header[3];
        return true;
    }

    /// <summary>The next message with its header, once complete; valid until the next <see cref="Append"/>.</summary>
    public bool TryTake(int bodyLength, out ReadOnlySpan<byte> message)
    {
        Debug.Assert(bodyLength <= Limits.MaxTlsMessage, "The length is checked before the message is awaited.");
        if (Buffered < HeaderLength + bodyLength)
        {
            message = default;
            return false;
        }

        message = _buffer.AsSpan(_start, HeaderLength + bodyLength);
        _start += message.Length;
        return true;
    }
}

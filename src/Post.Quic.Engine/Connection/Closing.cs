using System.Text;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// How a connection ends (RFC 9000 section 10.2): what CONNECTION_CLOSE says at each level, and how often it is said
/// again to a peer that has not heard it.
/// </summary>
internal sealed class Closing
{
    private const EncryptionLevel NoLevel = EncryptionLevel.Application + 1;

    private byte[] _reason = [];
    private long _packetsSinceClose;
    private long _nextReply = 1;
    private bool _pending;
    private EncryptionLevel _saidDownTo = NoLevel;

    public ConnectionCloseInfo? Info { get; private set; }

    /// <summary>A CONNECTION_CLOSE is to be sent now.</summary>
    public bool HasDataToSend => _pending;

    /// <summary>We close: the first reason stands.</summary>
    public void Begin(in ConnectionCloseInfo info, bool announce)
    {
        Info = info;
        byte[] reason = Encoding.UTF8.GetBytes(info.Reason);
        _reason = reason[..Utf8Length(reason, Limits.MaxCloseReason)];
        _pending = announce;
    }

    /// <summary>
    /// RFC 9000 section 10.2.1: a closing endpoint limits the rate of its answers; after each it waits for twice as
    /// many packets as before.
    /// </summary>
    public void OnPacketWhileClosing()
    {
        if (++_packetsSinceClose >= _nextReply)
        {
            _packetsSinceClose = 0;
            _nextReply *= 2;
            _pending = true;
        }
    }

    /// <summary>
    /// The level to say it at next, the highest first; null once it has been said at all of them. Each is a datagram of its own: a peer may
    /// drop all that follows a packet whose keys it has discarded, as quiche does, and one that can read several levels learns the
    /// application's code first, which the lower ones hide.
    /// </summary>
    public EncryptionLevel? NextLevel(ConnectionState state)
    {
        ReadOnlySpan<EncryptionLevel> levels = [EncryptionLevel.Application, EncryptionLevel.Handshake, EncryptionLevel.Initial];
        foreach (EncryptionLevel level in levels)
        {
            if (level < _saidDownTo && state.Keys.CanSend(level) && state.MayClose(level))
            {
                return level;
            }
        }

        return null;
    }

    /// <summary>It goes out at a level.</summary>
    public void OnSent(EncryptionLevel level) => _saidDownTo = level;

    /// <summary>It went out at every level.</summary>
    public void OnSent()
    {
        _pending = false;
        _saidDownTo = NoLevel;
    }

    public void Silence() => _pending = false;

    /// <summary>How much of the text fits into so many bytes without a part of a character at its end (RFC 3629 section 3).</summary>
    public static int Utf8Length(ReadOnlySpan<byte> text, int most)
    {
        if (text.Length <= most)
        {
            return text.Length;
        }

        // The first byte that is left out must begin a character. No character has more than three bytes behind its first.
        int length = most;
        while (length > 0 && most - length < 3 && IsContinuation(text[length]))
        {
            length--;
        }

        return IsContinuation(text[length]) ? most : length;

        static bool IsContinuation(byte value) => (value & 0xc0) == 0x80;
    }

    /// <summary>Writes the frame as it may be shown at this level; false where not even its head fits.</summary>
    public bool TryWrite(EncryptionLevel level, ref WireWriter writer)
    {
        ConnectionCloseInfo info = Info!.Value;
        bool asApplication = info.IsApplication && level == EncryptionLevel.Application;

        // RFC 9000 section 10.2.3: before 1-RTT anyone may read along, so neither the application's code nor its reason
        // is shown.
        bool hidden = info.IsApplication && !asApplication;
        ulong code = hidden ? (ulong)TransportErrorCode.ApplicationError : info.ErrorCode;
        int room = ConnectionCloseFrame.MaxReason(writer.Remaining, code, asApplication ? null : info.FrameType);
        if (room < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> reason = hidden ? [] : _reason.AsSpan(0, Utf8Length(_reason, room));
        if (asApplication)
        {
            ConnectionCloseFrame.WriteApplication(ref writer, code, reason);
        }
        else
        {
            ConnectionCloseFrame.WriteTransport(ref writer, code, info.FrameType, reason);
        }

        return true;
    }
}

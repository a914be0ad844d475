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
    private byte[] _reason = [];
    private long _packetsSinceClose;
    private long _nextReply = 1;
    private bool _pending;

    public ConnectionCloseInfo? Info { get; private set; }

    /// <summary>A CONNECTION_CLOSE is to be sent now.</summary>
    public bool HasDataToSend => _pending;

    /// <summary>We close: the first reason stands.</summary>
    public void Begin(in ConnectionCloseInfo info, bool announce)
    {
        Info = info;
        _reason = Encoding.UTF8.GetBytes(info.Reason);
        if (_reason.Length > Limits.MaxCloseReason)
        {
            _reason = _reason[..Limits.MaxCloseReason];
        }

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

    public void OnSent() => _pending = false;

    public void Silence() => _pending = false;

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

        ReadOnlySpan<byte> reason = hidden ? [] : _reason.AsSpan(0, Math.Min(_reason.Length, room));
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

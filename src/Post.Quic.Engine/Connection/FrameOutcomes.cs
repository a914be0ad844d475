using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Connection;

/// <summary>Passes on what became of sent frames, to the room that sent them.</summary>
internal sealed class FrameOutcomes : IFrameOutcome
{
    private readonly ConnectionState _state;

    public FrameOutcomes(ConnectionState state)
    {
        _state = state;
    }

    public void OnAcked(in SentFrame frame, in SentPacket packet)
    {
        switch (frame.Kind)
        {
            case SentFrameKind.Stream or SentFrameKind.ResetStream or SentFrameKind.ResetStreamAt:
                _state.Streams.OnAcked(frame, _state.Now);
                break;
            case SentFrameKind.Datagram:
                _state.Datagrams.OnAcked(frame);
                break;
            case SentFrameKind.Crypto:
                _state.Crypto.OnAcked(frame);
                break;
            case SentFrameKind.RetireConnectionId:
                _state.Paths.Find(frame.PathId)?.RemoteIds.OnRetireAcked();
                break;

            // One that reported on another path than the one that it went by.
            case SentFrameKind.Ack when frame.PathId != packet.PathId:
                _state.Paths.Find(frame.PathId)?.Space.Received.OnAckAcked(frame.Id);
                break;
            default:
                break;
        }
    }

    public void OnPacketLost(in SentPacket packet, long now) =>
        _state.Trace?.PacketLost(now, packet.PathId, packet.Level, packet.PacketNumber);

    public void OnOverdue(in SentFrame frame) => _state.Datagrams.OnOverdue(frame);

    public void OnArrivedLate(in SentFrame frame) => _state.Datagrams.OnArrivedLate(frame);

    public void OnLost(in SentFrame frame, in SentPacket packet)
    {
        switch (frame.Kind)
        {
            case SentFrameKind.Crypto:
                _state.Crypto.OnLost(frame);
                break;
            case SentFrameKind.Datagram:
                _state.Datagrams.OnLost(frame, _state.Now);
                break;
            case SentFrameKind.NewConnectionId:
                _state.Paths.Find(frame.PathId)?.LocalIds.OnLost(frame.Id);
                break;
            case SentFrameKind.RetireConnectionId:
                _state.Paths.Find(frame.PathId)?.RemoteIds.OnRetireLost(frame.Id);
                break;
            case SentFrameKind.HandshakeDone:
                _state.HandshakeDoneToSend = true;
                break;
            case SentFrameKind.NewToken:
                _state.FrameWriter.OnNewTokenLost();
                break;

            case SentFrameKind.Ack when frame.PathId != packet.PathId:
                _state.Paths.Find(frame.PathId)?.Space.Received.OnAckLost();
                break;

            // What these said is said anew whenever it is needed; a challenge has its own clock.
            case SentFrameKind.Ack or SentFrameKind.Ping or SentFrameKind.PathChallenge:
                break;
            case SentFrameKind.PathAbandon
                or SentFrameKind.PathStatus
                or SentFrameKind.MaxPathId
                or SentFrameKind.PathsBlocked
                or SentFrameKind.PathConnectionIdsBlocked:
                _state.MultipathFrames.OnLost(frame);
                break;
            case SentFrameKind.AckFrequency:
                _state.AckFrequency.OnLost(frame.Id);
                break;
            default:
                _state.Streams.OnLost(frame, _state.Now);
                break;
        }
    }
}

using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Congestion.Bbr;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>What recovery costs for each packet once everything is warm: time, and no memory.</summary>
[TestClass]
public sealed class SteadyStateTests
{
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Sending_acknowledging_and_losing_allocates_nothing(bool bbr)
    {
        using var traffic = new Traffic(bbr ? new BbrController(1200, new Crypto.SeededRandomSource(2)) : new CubicController(1200));
        traffic.Run(20_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        traffic.Run(20_000);
        Assert.AreEqual(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.IsGreaterThan(100, traffic.Lost);
        Assert.IsGreaterThan(10_000, traffic.Acked);
    }

    /// <summary>Windows of packets of two frames each, every 97th of which does not arrive.</summary>
    private sealed class Traffic : IFrameOutcome, IDisposable
    {
        private readonly Transmission _path;
        private readonly LossRecovery _recovery;
        private readonly ReceivedPackets _receiver = new(PacketNumberSpaceId.Application);
        private readonly SentFrameLog _receiverLog = new();
        private readonly byte[] _buffer = new byte[1200];
        private long _now;

        public Traffic(CongestionController congestion)
        {
            _path = new Transmission(0, congestion, new MtuDiscovery(1200), ecnEnabled: true);
            _recovery = new LossRecovery(isClient: true, new Crypto.SeededRandomSource(1), this, _path);
            _recovery.OnHandshakeConfirmed(0);
        }

        public int Acked { get; private set; }

        public int Lost { get; private set; }

        public void Dispose()
        {
            _recovery.Dispose();
            _receiverLog.Dispose();
        }

        public void OnAcked(in SentFrame frame, in SentPacket packet) => Acked++;

        public void OnLost(in SentFrame frame, in SentPacket packet) => Lost++;

        public void Run(int packets)
        {
            PacketNumberSpace space = _recovery.Application;
            for (int i = 0; i < packets; i++)
            {
                _now += 10;
                if (space.CanSend(_path, 1200, _now) is SendPermission.CongestionWindow or SendPermission.Pacing)
                {
                    _recovery.OnTimeout(_now);
                    continue;
                }

                EcnCodepoint ecn = _path.Ecn.Mark;
                space.Frames.Record(SentFrame.Stream(0, (ulong)i * 1000, 1000, false));
                space.Frames.Record(new SentFrame(SentFrameKind.MaxStreamData, 4, (ulong)i));
                ulong number = _recovery.OnPacketSent(
                    space,
                    _path,
                    new PacketSent(1200, RecoveryWorld.Eliciting, EncryptionLevel.Application, Ecn: ecn),
                    _now);
                if (number % 97 != 0 && !_receiver.IsDuplicate(number))
                {
                    _receiver.OnReceived(number, true, ecn, _now);
                }

                if (_receiver.IsAckDue(_now))
                {
                    Acknowledge();
                }
            }
        }

        private void Acknowledge()
        {
            _now += 50;
            var writer = new WireWriter(_buffer);
            _receiver.TryWriteAck(ref writer, _receiverLog, 3, _now);
            _receiverLog.Commit();
            _receiverLog.FreeAll();
            var reader = new WireReader(writer.Written);
            reader.TryReadVarInt(out ulong type);
            if (!AckFrame.TryParse(type, ref reader, out AckFrame ack)
                || _recovery.OnAckReceived(_recovery.Application, ack, _now).IsError)
            {
                throw new InvalidOperationException("An honest ACK was refused.");
            }
        }
    }
}

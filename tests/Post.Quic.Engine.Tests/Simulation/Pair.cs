using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Tests.Tls;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>
/// A client and a server core with a simulated network between them, in virtual time. Everything follows from the
/// seed, which every failure names.
/// </summary>
internal sealed class Pair : IDisposable
{
    private const int MaxStepsAtOneTime = 20_000;

    private readonly PairOptions _options;
    private readonly byte[] _buffer;
    private readonly RandomSource _random;
    private ConnectionId _retryId;

    public Pair(PairOptions? options = null)
    {
        _options = options ?? new PairOptions();
        _buffer = new byte[_options.BatchBytes];
        Now = _options.Start;
        Network = new SimulatedNetwork(_options.Seed);
        _random = new SeededRandomSource((int)(_options.Seed * 7919));
        Client = new SimulatedSide("client", _random)
        {
            IdLength = _options.ClientIdLength,
            Address = NetworkAddress.FromIPv4(0x0a000001, 50000),
        };
        Server = new SimulatedSide("server", _random)
        {
            IdLength = _options.ServerIdLength,
            Address = NetworkAddress.FromIPv4(0x0a0000fe, 443),
            ServerOptions = _options.ServerTls ?? TlsPair.ServerOptions(),
        };
    }

    public long Now { get; private set; }

    public SimulatedNetwork Network { get; }

    public SimulatedSide Client { get; }

    public SimulatedSide Server { get; }

    /// <summary>Versions that the server's endpoint answers Version Negotiation to, unless it has them.</summary>
    public bool ServerNegotiatesVersions { get; set; } = true;

    /// <summary>What the server's endpoint drops before the core sees it.</summary>
    public int RetriesSent { get; private set; }

    public string Repeat => $"seed {_options.Seed}: set POST_QUIC_SEED={_options.Seed} to run it alone";

    public static TlsClock Clock => new(TestCertificates.Now, 1_000_000_000);

    /// <summary>Begins the connection.</summary>
    public Pair Connect()
    {
        var setup = new ConnectionSetup
        {
            Settings = _options.Client,
            Events = Client,
            ConnectionIds = Client,
            Random = _random,
            Crypto = _options.Crypto,
            CreateTls = host => _options.StandInTls
                ? new StandInTls(host, _random, Clock, isServer: false) { Spoil = _options.SpoilParameters }
                : new TlsClient(host, _options.ClientTls ?? TlsPair.ClientOptions(), _random, Clock),
            Local = Client.Address,
            Remote = Server.Address,
            Token = _options.Token,
            FirstDestination = _options.FirstDestination,
            RememberedParameters = _options.RememberedParameters,
            Trace = _options.ClientTrace,
        };
        Client.Core = ConnectionCore.CreateClient(setup, Now);
        return this;
    }

    /// <summary>Connects and runs until the handshake is confirmed on both sides.</summary>
    public Pair Handshake(long timeout = 30_000_000)
    {
        _ = Connect();
        RunUntil(() => Client.IsConfirmed && Server.IsConfirmed, timeout, "handshake");
        return this;
    }

    public void RunUntil(Func<bool> done, long timeout, string what)
    {
        long end = Now + timeout;
        long last = -1;
        for (int stuck = 0; ; stuck = Now == last ? stuck + 1 : 0, last = Math.Max(last, Now))
        {
            Drive();
            if (done())
            {
                return;
            }

            if (stuck > MaxStepsAtOneTime)
            {
                Assert.Fail($"{what}: time stands still; client {Timers(Client)}, server {Timers(Server)}; {Repeat}");
            }

            long next = NextTime();
            if (next > end)
            {
                Assert.Fail(
                    $"{what} did not happen within {timeout / 1000} ms; client {Client.Core?.Phase} {Client.Closed}, "
                    + $"server {Server.Core?.Phase} {Server.Closed}; {Repeat}");
            }

            Advance(next);
        }
    }

    public void RunFor(long duration)
    {
        long end = Now + duration;
        int stuck = 0;
        Drive();
        for (long next = NextTime(); next <= end; next = NextTime())
        {
            stuck = next <= Now ? stuck + 1 : 0;
            if (stuck > MaxStepsAtOneTime)
            {
                Assert.Fail($"time stands still; client {Timers(Client)}, server {Timers(Server)}; {Repeat}");
            }

            Advance(next);
            Drive();
        }

        Now = end;
        HandleTimeouts();
        Drive();
    }

    /// <summary>
    /// Nobody is called for so long, as on a machine that sleeps. What was under way is lost or, with
    /// <paramref name="keepsDatagrams"/>, waits in the sockets and is read before any timer is looked at.
    /// </summary>
    public void Sleep(long duration, bool keepsDatagrams)
    {
        Now += duration;
        while (Network.TryDeliver(Now, out SimulatedDatagram datagram))
        {
            if (keepsDatagrams)
            {
                Deliver(datagram);
            }
        }

        HandleTimeouts();
        Drive();
    }

    /// <summary>Runs until nothing is under way and no side has anything to say within the time.</summary>
    public void RunUntilQuiet(long timeout = 60_000_000)
    {
        long end = Now + timeout;
        Drive();
        for (long next = NextTime(); next <= end && Network.NextDelivery != long.MaxValue; next = NextTime())
        {
            Advance(next);
            Drive();
        }
    }

    /// <summary>Sends bytes on a new stream of the client's and has the server read them all.</summary>
    public StreamState Transfer(SimulatedSide from, SimulatedSide to, byte[] data, long timeout)
    {
        Assert.IsTrue(from.Core!.Streams.TryOpen(true, out StreamState? stream), "no credit for a stream");
        stream.WriteAll(data);
        stream.Finish();
        ulong id = stream.Id;
        RunUntil(() => to.EndedStreams.Contains(id), timeout, $"transfer of {data.Length} bytes");
        if (!to.Discard)
        {
            CollectionAssert.AreEqual(data, to.Received(id), Repeat);
        }

        return stream;
    }

    public byte[] RandomBytes(int count)
    {
        byte[] data = new byte[count];
        _random.Fill(data);
        return data;
    }

    /// <summary>The application's work and datagrams out, until neither side has anything left to do now.</summary>
    public void Drive()
    {
        for (int i = 0; Drive(Client) | Drive(Server); i++)
        {
            Assert.IsLessThan(MaxStepsAtOneTime, i, $"spins at one moment; {Repeat}");
        }
    }

    public void Dispose()
    {
        Client.Core?.Dispose();
        Server.Core?.Dispose();
    }

    private string Timers(SimulatedSide side) => side.Core is not { } core
        ? "none"
        : string.Join(
            ", ",
            Enumerable.Range(0, (int)TimerId.Count)
                .Where(timer => core.State.Timers[(TimerId)timer] <= Now)
                .Select(timer => $"{(TimerId)timer} {core.State.Timers[(TimerId)timer] - Now}"));

    private bool Drive(SimulatedSide side)
    {
        if (side.Core is not { } core)
        {
            return false;
        }

        bool worked = false;
        if (side.WantsWork || side.TurnAt <= Now)
        {
            side.Work(Now);
            worked = true;
        }

        for (int i = 0; ; i++)
        {
            Assert.IsLessThan(MaxStepsAtOneTime, i, $"{side.Name} sends without end; {Repeat}");
            int length = core.BuildDatagrams(_buffer, Now, out OutgoingDatagrams batch);
            if (length == 0)
            {
                break;
            }

            worked = true;
            Assert.AreEqual(length, batch.Length, Repeat);
            for (int at = 0; at < length; at += batch.SegmentSize)
            {
                byte[] datagram = _buffer.AsSpan(at, Math.Min(batch.SegmentSize, length - at)).ToArray();
                if (side == Client)
                {
                    Network.SendFromClient(batch.Local, batch.Remote, batch.Ecn, datagram, Now);
                }
                else
                {
                    Network.SendFromServer(batch.Local, batch.Remote, batch.Ecn, datagram, Now);
                }
            }
        }

        return worked;
    }

    private long NextTime() => Math.Min(Network.NextDelivery, Math.Min(NextTime(Client), NextTime(Server)));

    private static long NextTime(SimulatedSide side) => Math.Min(side.TurnAt, side.Core?.NextTimeout ?? long.MaxValue);

    private void Advance(long next)
    {
        if (next == long.MaxValue)
        {
            return;
        }

        Now = Math.Max(Now, next);
        while (Network.TryDeliver(Now, out SimulatedDatagram datagram))
        {
            Deliver(datagram);
        }

        HandleTimeouts();
    }

    private void HandleTimeouts()
    {
        Client.Core?.HandleTimeout(Now);
        Server.Core?.HandleTimeout(Now);
    }

    private void Deliver(SimulatedDatagram datagram)
    {
        var metadata = new DatagramMetadata(datagram.To, datagram.From, datagram.Ecn);
        if (!datagram.FromClient)
        {
            Client.Core?.ReceiveDatagram(datagram.Payload, metadata, Now);
            return;
        }

        if (Server.Core is null && !TryAccept(datagram))
        {
            return;
        }

        Server.Core!.ReceiveDatagram(datagram.Payload, metadata, Now);
    }

    /// <summary>The part of an endpoint that a server needs before it has a connection.</summary>
    private bool TryAccept(SimulatedDatagram datagram)
    {
        if (datagram.Payload.Length < 1200 || !InvariantHeader.TryParse(datagram.Payload, _options.ServerIdLength, out InvariantHeader invariant))
        {
            return false;
        }

        if (invariant.IsLong && ServerNegotiatesVersions && !_options.Server.Versions.Contains((QuicVersion)invariant.Version))
        {
            NegotiateVersion(datagram, invariant);
            return false;
        }

        if (PacketHeader.TryParse(datagram.Payload, _options.ServerIdLength, out PacketHeader header) != PacketParseResult.Parsed
            || header.Type != PacketType.Initial)
        {
            return false;
        }

        var destination = new ConnectionId(header.DestinationConnectionId);
        ConnectionId original = destination;
        ConnectionId? retrySource = null;
        if (_options.Retry)
        {
            if (header.Token.IsEmpty)
            {
                SendRetry(datagram, header);
                return false;
            }

            Assert.AreEqual(destination, _retryId);
            original = new ConnectionId(header.Token);
            retrySource = destination;
        }

        var arrival = new ServerArrival
        {
            Version = header.Version,
            DestinationConnectionId = destination,
            SourceConnectionId = new ConnectionId(header.SourceConnectionId),
            OriginalDestinationConnectionId = original,
            RetrySourceConnectionId = retrySource,
            IsAddressValidated = retrySource is not null,
        };
        Server.Core = ConnectionCore.CreateServer(
            new ConnectionSetup
            {
                Settings = _options.Server,
                Events = Server,
                ConnectionIds = Server,
                Random = _random,
                Crypto = _options.Crypto,
                CreateTls = host => _options.StandInTls
                    ? new StandInTls(host, _random, Clock, isServer: true) { Spoil = _options.SpoilServerParameters }
                    : new TlsServer(host, _random, Clock),
                Local = datagram.To,
                Remote = datagram.From,
                PreferredIPv4 = _options.PreferredAddress,
                Trace = _options.ServerTrace,
            },
            arrival,
            Now);
        return true;
    }

    private void SendRetry(SimulatedDatagram datagram, in PacketHeader header)
    {
        RetriesSent++;
        byte[] packet = new byte[200];
        var writer = new WireWriter(packet);
        byte[] id = RandomBytes(_options.ServerIdLength);
        _retryId = new ConnectionId(id);
        var original = new ConnectionId(header.DestinationConnectionId);
        PacketHeaderWriter.WriteRetry(
            ref writer, header.Version, new ConnectionId(header.SourceConnectionId), _retryId, header.DestinationConnectionId, 5);
        int length = writer.Position + RetryIntegrity.TagLength;
        using var integrity = new RetryIntegrity(_options.Crypto);
        integrity.Write(header.Version, original.Span, packet.AsSpan(0, length));
        Network.SendFromServer(datagram.To, datagram.From, EcnCodepoint.NotEct, packet[..length], Now);
    }

    private void NegotiateVersion(SimulatedDatagram datagram, in InvariantHeader header)
    {
        byte[] packet = new byte[200];
        var writer = new WireWriter(packet);
        uint[] versions = [.. _options.Server.Versions.Select(version => (uint)version), QuicVersions.Reserved(77)];
        VersionNegotiationPacket.Write(ref writer, header.SourceConnectionId, header.DestinationConnectionId, versions, 3);
        Network.SendFromServer(datagram.To, datagram.From, EcnCodepoint.NotEct, packet[..writer.Position], Now);
    }
}

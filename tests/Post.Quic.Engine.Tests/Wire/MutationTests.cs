using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Packets;
using Post.Quic.Engine.Wire.Parameters;
using Post.Quic.Testing.Mutations;

namespace Post.Quic.Engine.Tests.Wire;

/// <summary>
/// Spoiled packets, frames and parameters: whatever comes, an answer goes back and nothing is thrown or allocated.
/// </summary>
[TestClass]
public sealed class MutationTests
{
    private const int BufferLength = 1500;

    /// <summary>What the runtime itself may take on this thread while a test runs, far below one byte an input.</summary>
    private const long AllocationSlack = 32 * 1024;

    private delegate int Sample(Span<byte> buffer, ref FuzzRandom random);

    private delegate void Check(ReadOnlySpan<byte> input, Span<byte> first, Span<byte> second);

    [TestMethod]
    [Mutates(MutationRoom.Frames)]
    [DataRow(1)]
    [DataRow(2)]
    public void Spoiled_frames_are_read_or_refused_and_what_is_read_is_stable(int run) =>
        Run(MutationRoom.Frames, run, WriteFrames, CheckFrames, bytesPerInput: 0);

    [TestMethod]
    [Mutates(MutationRoom.Datagrams)]
    [DataRow(1)]
    [DataRow(2)]
    public void Spoiled_datagrams_are_split_within_their_bounds_or_dropped(int run) =>
        Run(MutationRoom.Datagrams, run, WriteDatagram, CheckDatagram, bytesPerInput: 0);

    [TestMethod]
    [Mutates(MutationRoom.TransportParameters)]
    public void Spoiled_transport_parameters_are_read_or_refused_and_what_is_read_is_stable()
    {
        byte[] client = TransportParameterSamples.Encode(TransportParameterSamples.Client);
        byte[] server = TransportParameterSamples.Encode(TransportParameterSamples.Server);

        // What is read is objects, a bounded number of them for each input.
        Run(
            MutationRoom.TransportParameters,
            run: 1,
            (Span<byte> buffer, ref FuzzRandom random) =>
            {
                byte[] source = random.Coin() ? client : server;
                source.CopyTo(buffer);
                return source.Length;
            },
            CheckParameters,
            bytesPerInput: 32 * 1024);
    }

    private static void Run(MutationRoom room, int run, Sample sample, Check check, long bytesPerInput)
    {
        byte[] buffer = new byte[BufferLength];
        byte[] first = new byte[BufferLength];
        byte[] second = new byte[BufferLength];
        long allocated = 0;
        MutationRun.Of(room, run, (ref FuzzRandom random, int _) =>
        {
            int length = sample(buffer, ref random);
            length = Mutator.Mutate(buffer, length, ref random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                check(buffer.AsSpan(0, length), first, second);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"{Convert.ToHexStringLower(buffer.AsSpan(0, length))}: {error.Message}", error);
            }

            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            return 1;
        });
        long most = (MutationBudget.InputsOfOneTest(room) * bytesPerInput) + AllocationSlack;
        Assert.IsLessThanOrEqualTo(most, allocated, "bytes allocated");
    }

    private static int WriteFrames(Span<byte> buffer, ref FuzzRandom random)
    {
        // Room is left for the longest frame, and for what the mutation adds.
        var writer = new WireWriter(buffer);
        for (int count = 1 + random.Below(5); count > 0; count--)
        {
            FrameSamples.Write(FrameSamples.Types[random.Below(FrameSamples.Types.Length)], ref writer, ref random);
        }

        return writer.Position;
    }

    private static void CheckFrames(ReadOnlySpan<byte> input, Span<byte> first, Span<byte> second)
    {
        for (EncryptionLevel level = EncryptionLevel.Initial; level <= EncryptionLevel.Application; level++)
        {
            TransportError error = FrameEcho.Echo(input, level, fromServer: true, first, out int written);
            Require(!error.IsError
                || error.Code is TransportErrorCode.FrameEncodingError or TransportErrorCode.ProtocolViolation);
            Require(written <= input.Length);
            if (written > 0)
            {
                // What was read means the same when it is written in shortest form and read again.
                error = FrameEcho.Echo(first[..written], level, fromServer: true, second, out int again);
                Require(!error.IsError && again == written && first[..written].SequenceEqual(second[..again]));
            }
        }
    }

    private static int WriteDatagram(Span<byte> buffer, ref FuzzRandom random)
    {
        var writer = new WireWriter(buffer);
        ConnectionId destination = FrameSamples.Id(ref random);
        ConnectionId source = FrameSamples.Id(ref random);
        QuicVersion version = random.Coin() ? QuicVersion.Version1 : QuicVersion.Version2;
        switch (random.Below(8))
        {
            case 0:
                VersionNegotiationPacket.Write(ref writer, destination.Span, source.Span, [1, 2, 3], (byte)random.Next());
                return writer.Position;
            case 1:
                PacketHeaderWriter.WriteRetry(ref writer, version, destination, source, source.Span, (byte)random.Next());
                writer.Advance(PacketHeader.RetryTagLength);
                return writer.Position;
        }

        for (int count = random.Below(4); count > 0; count--)
        {
            int length = 1 + random.Below(200);
            int position = PacketHeaderWriter.WriteLong(
                ref writer, (PacketType)random.Below(3), version, destination, source, source.Span, 1 + random.Below(4));
            PacketHeaderWriter.FillLength(buffer, position, length);
            writer.Advance(length);
        }

        PacketHeaderWriter.WriteShort(ref writer, destination, 1 + random.Below(4), random.Coin());
        writer.Advance(random.Below(100));
        return writer.Position;
    }

    private static void CheckDatagram(ReadOnlySpan<byte> input, Span<byte> first, Span<byte> second)
    {
        for (int localIdLength = 0; localIdLength <= ConnectionId.MaxLength; localIdLength += 5)
        {
            var reader = new DatagramReader(input, localIdLength);
            int end = 0;
            while (reader.TryReadNext(out PacketHeader header))
            {
                Require(reader.Offset >= end);
                end = reader.Offset + header.Length;
                Require(end <= input.Length && header.Length > 0 && header.PacketNumberOffset <= header.Length);
                Require(header.Type == PacketType.VersionNegotiation
                    || header.DestinationConnectionId.Length <= ConnectionId.MaxLength);
                Require(header.Token.Length < header.Length);
            }
        }

        if (VersionNegotiationPacket.TryParse(input, out VersionNegotiationPacket negotiation))
        {
            Require(negotiation.VersionCount > 0);
            _ = negotiation.Contains(1);
        }
    }

    private static void CheckParameters(ReadOnlySpan<byte> input, Span<byte> first, Span<byte> second)
    {
        CheckParameters(input, first, fromServer: false);
        CheckParameters(input, first, fromServer: true);
    }

    private static void CheckParameters(ReadOnlySpan<byte> input, Span<byte> scratch, bool fromServer)
    {
        TransportError error = TransportParametersReader.TryParse(input, fromServer, out TransportParameters? parameters);
        Require(error.IsError == parameters is null);
        if (parameters is null)
        {
            Require(error.Code == TransportErrorCode.TransportParameterError);
            return;
        }

        var writer = new WireWriter(scratch);
        TransportParametersWriter.Write(ref writer, parameters, new SeededRandomSource(1));
        error = TransportParametersReader.TryParse(writer.Written, fromServer, out TransportParameters? again);
        Require(!error.IsError && again == parameters with { UnknownCount = 1 });
    }

    private static void Require(bool condition)
    {
        if (!condition)
        {
            throw new InvalidOperationException("an answer that must not be");
        }
    }
}

using System.Net.Sockets;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases.Objects;

/// <summary>What associations cost that do nothing.</summary>
/// <param name="count">How many; 0 for as many as the options say.</param>
internal sealed class IdleAssociationsCase(int count = 0) : BenchCase
{
    public override string Name => "idle-associations" + (count == 0 ? "" : $"-{count}");

    public override string Measures =>
        $"Memory of {(count == 0 ? "--associations" : $"{count:N0}")} associations that do nothing, both ends together.";

    public override string Excludes => "The kernel's memory (a socket for each client); the managed heap leaves out what a native library holds.";

    public override async Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken)
    {
        await using ObjectService service = await engine.ServeAsync(new ServiceOptions(), cancellationToken);
        int associations = count == 0 ? settings.Associations : Math.Min(count, settings.MaxAssociations);
        try
        {
            return await IdleMemory.MeasureAsync(associations, "association", MakeAsync, cancellationToken);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.TooManyOpenSockets)
        {
            throw new NotMeasuredException(
                $"This machine allows fewer sockets than {associations:N0} associations need; raise the limits on open files (ulimit -n, fs.file-max).");
        }

        async Task<IAsyncDisposable> MakeAsync()
        {
            Task<ObjectPeer> accepting = service.AcceptAsync(cancellationToken);
            ObjectPeer client = await service.ConnectAsync(cancellationToken);
            return new Both(client, await accepting);
        }
    }

    private sealed class Both(ObjectPeer client, ObjectPeer server) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await client.DisposeAsync();
            await server.DisposeAsync();
        }
    }
}

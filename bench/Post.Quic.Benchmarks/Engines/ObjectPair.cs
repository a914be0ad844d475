namespace Post.Quic.Benchmarks.Engines;

/// <summary>A server and its one client, on the level of objects.</summary>
internal sealed class ObjectPair : IAsyncDisposable
{
    private readonly ObjectService _service;

    private ObjectPair(ObjectService service, ObjectPeer client, ObjectPeer server)
    {
        (_service, Client, Server) = (service, client, server);
        Ended = Task.WhenAny(client.Ended, server.Ended);
    }

    public ObjectPeer Client { get; }

    public ObjectPeer Server { get; }

    /// <summary>Completes when either end is over.</summary>
    public Task Ended { get; }

    /// <summary>Connects; both ends are ready when it returns.</summary>
    public static async Task<ObjectPair> OpenAsync(
        BenchEngine engine, ServiceOptions options, CancellationToken cancellationToken)
    {
        ObjectService service = await engine.ServeAsync(options, cancellationToken);
        try
        {
            Task<ObjectPeer> accepting = service.AcceptAsync(cancellationToken);
            ObjectPeer client = await service.ConnectAsync(cancellationToken);
            return new ObjectPair(service, client, await accepting);
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits for something that the connection is to bring: fails when either end is over before that.</summary>
    public async Task UntilAsync(Task task, CancellationToken cancellationToken)
    {
        await Task.WhenAny(task, Ended).WaitAsync(cancellationToken);
        await (task.IsCompleted ? task : Task.FromException(EndedTooEarly()));
    }

    /// <summary>The connection ended while something was still to come; the end that knows why says it.</summary>
    public WrongBytesException EndedTooEarly() => (Client.Error is null ? Server : Client).EndedTooEarly();

    /// <summary>Sees to it that every object that the client sent was delivered, by its own account too.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        if (await Client.SettleAsync(cancellationToken) is > 0 and long undelivered)
        {
            throw new WrongBytesException($"{undelivered} objects did not reach the other application, says their sender.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
        await _service.DisposeAsync();
    }
}

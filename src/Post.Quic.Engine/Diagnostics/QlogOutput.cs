namespace Post.Quic.Engine.Diagnostics;

/// <summary>Opens the stream that a connection's log goes to.</summary>
internal static class QlogOutput
{
    /// <summary>
    /// Files tried under names that differ by a number: a client can use a connection id twice, but not make us search
    /// for long.
    /// </summary>
    private const int MaxAttempts = 8;

    public static Stream? Open(QuicTraceOptions options, in QlogConnection connection)
    {
        var context = new QuicTraceContext(
            connection.IsServer,
            connection.OriginalDestination.ToString(),
            connection.Local.ToEndPoint(),
            connection.Remote.ToEndPoint());
        return options.OpenStream is { } open ? open(context) : OpenFile(options.Directory!, context);
    }

    private static FileStream OpenFile(string directory, QuicTraceContext context)
    {
        Directory.CreateDirectory(directory);
        string name = context.FileName;
        for (int attempt = 1; ; attempt++)
        {
            string path = System.IO.Path.Combine(directory, attempt == 1 ? name : $"{System.IO.Path.GetFileNameWithoutExtension(name)}-{attempt}.sqlog");
            try
            {
                // The sink writes in large pieces: a buffer of the stream's own would only copy them.
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0, useAsync: true);
            }
            catch (IOException) when (attempt < MaxAttempts && File.Exists(path))
            {
            }
        }
    }
}

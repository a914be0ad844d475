using System.Text;
using Post.Sockets;

namespace FileTransfer.Storage.Secrets;

/// <summary>The keys of the servers that we know: a line each, <c>host:port sha256:...</c>.</summary>
internal sealed class KnownKeys(string path)
{
    /// <summary>The key of a server; null for one that we do not know.</summary>
    public KeyFingerprint? Find(string server)
    {
        foreach (var (name, key) in Load())
        {
            if (name == server)
            {
                return key;
            }
        }

        return null;
    }

    /// <summary>Remembers a server.</summary>
    public void Add(string server, KeyFingerprint key)
    {
        var lines = Load().Where(known => known.Server != server).Append((Server: server, Key: key));
        PrivateFile.Write(path, string.Concat(lines.Select(known => $"{known.Server} {known.Key}\n")));
    }

    private List<(string Server, KeyFingerprint Key)> Load()
    {
        var known = new List<(string, KeyFingerprint)>();
        if (!File.Exists(path))
        {
            return known;
        }

        foreach (var line in Encoding.UTF8.GetString(PrivateFile.Read(path)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (parts.Length != 2 || !KeyFingerprint.TryParse(parts[1], out var key))
            {
                throw new TransferException(
                    ExitCode.LocalProblem, $"'{path}' has a line that is none: '{line}'. Each is \"host:port sha256:...\".");
            }

            known.Add((parts[0], key));
        }

        return known;
    }
}

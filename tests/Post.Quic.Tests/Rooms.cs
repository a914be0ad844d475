using System.Text.RegularExpressions;

namespace Post.Quic.Tests;

/// <summary>
/// Which folder of a project names types of which other, read from its text. The root is left out: it holds the public types, which
/// all rooms speak in, and the facades, which speak to all rooms.
/// </summary>
internal static partial class Rooms
{
    /// <summary>The rooms that can reach each other, and by which types; empty where all know each other in one direction.</summary>
    public static string FindCircle(string project, string root)
    {
        List<(string Room, string Name, HashSet<string> Words, HashSet<string> Known)> files = Read(project, root, out Dictionary<string, HashSet<string>> declared);
        var arrows = new Dictionary<string, Dictionary<string, string>>();
        foreach ((string room, string name, HashSet<string> words, HashSet<string> known) in files)
        {
            foreach (string other in known.Where(other => other != room && declared.ContainsKey(other)))
            {
                if (declared[other].FirstOrDefault(type => words.Contains(type) && !declared[room].Contains(type)) is { } type)
                {
                    arrows.TryAdd(room, []);
                    _ = arrows[room].TryAdd(other, $"{name} names {type}");
                }
            }
        }

        foreach (string room in arrows.Keys)
        {
            var way = new List<string>();
            if (Reaches(room, room, arrows, [], way))
            {
                return string.Join("; ", way);
            }
        }

        return string.Empty;
    }

    private static bool Reaches(
        string from, string target, Dictionary<string, Dictionary<string, string>> arrows, HashSet<string> seen, List<string> way)
    {
        foreach ((string next, string reason) in arrows.GetValueOrDefault(from, []))
        {
            way.Add($"{from} -> {next}: {reason}");
            if (next == target || (seen.Add(next) && Reaches(next, target, arrows, seen, way)))
            {
                return true;
            }

            way.RemoveAt(way.Count - 1);
        }

        return false;
    }

    private static List<(string Room, string Name, HashSet<string> Words, HashSet<string> Known)> Read(
        string project, string root, out Dictionary<string, HashSet<string>> declared)
    {
        declared = [];
        var files = new List<(string, string, HashSet<string>, HashSet<string>)>();
        foreach (string file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            string text = Silent().Replace(File.ReadAllText(file), " ");
            if (Namespace().Match(text) is not { Success: true } match || match.Groups[1].Value == project)
            {
                continue;
            }

            string room = match.Groups[1].Value;
            declared.TryAdd(room, []);
            declared[room].UnionWith(Declaration().Matches(text).Select(one => one.Groups[1].Value));

            // What a file can name: the rooms it uses, and those that its own lies in.
            HashSet<string> known = [.. Using().Matches(text).Select(one => one.Groups[1].Value)];
            for (string around = room; around.Length > project.Length; around = around[..around.LastIndexOf('.')])
            {
                known.Add(around);
            }

            files.Add((room, Path.GetFileName(file), [.. Word().Matches(text).Select(one => one.Value)], known));
        }

        return files;
    }

    [GeneratedRegex("""//[^\n]*|/\*.*?\*/|@?"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\])'""", RegexOptions.Singleline)]
    private static partial Regex Silent();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^using (?:static )?([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex(@"^\s*(?:(?:public|internal|private|protected|file|static|sealed|abstract|readonly|ref|partial|unsafe)\s+)+(?:class|struct|interface|enum|record(?:\s+struct)?)\s+([A-Z]\w*)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\b[A-Z]\w*\b")]
    private static partial Regex Word();
}
